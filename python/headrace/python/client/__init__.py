"""What a client does with what a step has told."""
