"""What is done when, and the command line: order, and no rules of its own."""
