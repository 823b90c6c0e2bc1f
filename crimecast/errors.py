"""The one exception that is meant for people."""


class UserError(Exception):
    """Something the user can put right; its text is one clear sentence that says how.

    The command line prints it and exits with 2; pages show it in place of their content.
    """


class Doubt(UserError):
    """A file that can be read in more than one way, or that lacks what a person has to say.

    Its text is fit for a page; `flag` is the command line's option that settles it, `choices` what
    can be chosen.
    """

    def __init__(self, text: str, flag: str = "", choices: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.flag, self.choices = flag, choices
