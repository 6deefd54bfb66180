"""One file per page; `known.py` lists them."""
