"""Who may come in: the sign-in before an app that others than this machine's user can reach."""
