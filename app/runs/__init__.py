"""The Runs page: one run as it goes, several over each other, the table of all, the student's card."""
