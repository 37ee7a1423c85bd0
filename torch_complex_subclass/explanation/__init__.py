"""What `explain` tells: the user's lines, how to avoid a library call, times, and the page."""
