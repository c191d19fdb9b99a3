//! Two manifest sets to a diff value, and its printers.
