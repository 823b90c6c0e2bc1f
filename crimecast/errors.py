"""The one exception that is meant for people."""


class UserError(Exception):
    """Something the user can put right; its text is one clear sentence that says how.

    The command line prints it and exits with 2; pages show it in place of their content.
    """
