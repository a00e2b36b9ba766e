"""The review queue, a Django application.

Importing this package, or `fraud.review.queue`, sets up no Django: the functions of
`queue` do so when they are called. Only they are for other packages.
"""
