"""The daily round: what is new is crawled, the next steps are forecast and sealed, what has come is
scored."""
