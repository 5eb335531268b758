"""What every environment has in common."""

BASE_VARIABLES = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


class Environment:
    """Puts a prefix before a command. `temporary` is its scratch directory as the command sees it."""

    def __init__(self, name: str, prefix: list[str], temporary: str):
        self.name = name
        self.prefix = prefix
        self.temporary = temporary

    def variables(self) -> dict[str, str]:
        """The same small set everywhere, whatever the caller's shell exports."""
        return {**BASE_VARIABLES, "TMPDIR": self.temporary, "HOME": self.temporary}

    def command(self, arguments: list[str]) -> list[str]:
        """What to execute on the host so that `arguments` runs in this environment."""
        return self.prefix + arguments

    def discard(self) -> None:
        """Removes what a killed command may leave behind, other than processes."""
