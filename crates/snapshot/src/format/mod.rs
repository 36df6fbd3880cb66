//! How frames of lines are written, found again and salvaged.
