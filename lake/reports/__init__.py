"""Reports: defined as data, computed at one commit of the lake, shown as HTML and PDF."""
