"""What a browser sees of the queue: pages, forms, the API, and who may."""
