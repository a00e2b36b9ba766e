"""Words and figures as the templates of the queue show them."""
