"""The chat page: answers and documents as escaped HTML, exports, uploads, feedback, and the server around them."""
