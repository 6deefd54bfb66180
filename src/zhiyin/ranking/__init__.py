"""Floor 5: from scores to the list that a person sees, by the one request path."""
