"""What is checked of a bundle, which anybody may have written, before it is believed."""
