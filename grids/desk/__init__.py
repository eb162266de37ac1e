"""The dispatch desk: claims, duplicates, suggestions, bulk steps, kept filters and drafts."""
