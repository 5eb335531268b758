"""What the suite's and the clients' cases share."""
import subprocess


class Failed(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Failed(text)


def equal(found, wanted, what):
    check(found == wanted, f"{what}: {found!r}, not {wanted!r}")


def echo(commands):
    """Runs commands side by side; each gives back the line that it is given."""
    children = [subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for words in commands]
    for number, child in enumerate(children):
        child.stdin.write(f"number {number}\n")
        child.stdin.close()
    for number, child in enumerate(children):
        out, problem = child.stdout.read(), child.stderr.read()
        equal((child.wait(120), out), (0, f"number {number}\n"), f"container {number} ({problem})")
