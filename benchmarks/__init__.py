"""One runnable script per question, and the data sets they share."""
