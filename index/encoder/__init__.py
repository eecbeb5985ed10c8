"""The shipped encoder: its weights, model card and the script that trains it."""
