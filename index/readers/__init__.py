"""One reader a file format: bytes -> text with pages; ``index.sources`` chooses among them."""
