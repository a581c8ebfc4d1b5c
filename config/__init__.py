"""What a node is: typed settings, loading with every problem at once, opening hours, example sites."""
