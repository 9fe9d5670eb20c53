"""One module for each task of the DAG `shop_lake`, in the order of a run."""
