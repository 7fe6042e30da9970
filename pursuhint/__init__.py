"""PURSUhInT: choose hint points by clustering a teacher's layers, then distil a student."""
