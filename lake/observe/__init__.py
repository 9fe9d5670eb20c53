"""What is seen of a lake from outside: whether its installation is sound."""
