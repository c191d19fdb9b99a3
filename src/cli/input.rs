//! What a SOURCE argument names, and how it becomes objects.
