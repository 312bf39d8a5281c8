"""Passwords of twelve characters and more that lists of leaked ones have at their top."""

_WHOLE = """
    administrator administrators password1234 password12345 password123456 passwordpassword
    1234567890ab 123456789012 1234567890123 12345678901234 123456789abc 1q2w3e4r5t6y 1qaz2wsx3edc
    1qaz2wsx3edc4rfv q1w2e3r4t5y6 qwertyuiop12 qwertyuiop123 qwerty123456 qwertyqwerty
    qwertyuiopas qwertyuiopasdfgh asdfghjkl123 zxcvbnm12345 iloveyou1234 iloveyouforever
    welcome12345 letmein12345 changeme1234 changemenow1 changemeplease correcthorsebatterystaple
    trustno1trustno1 superman1234 football1234 baseball1234 liverpool123 manchesterunited
    unbelievable thunderstruck abcdefghijkl abcdefghijklm abcd12345678 abc123456789 abcabcabcabc
    aaaaaaaaaaaa secret123456 master123456 dragon123456 monkey123456 sunshine1234 princess1234
    p@ssw0rd1234 p@ssword1234 passw0rd1234 admin1234567 admin123456789 root12345678 developer123
    devportal123 devportal1234
"""
_WORDS = frozenset(_WHOLE.split())
_RUNS = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")


def is_common(password: str) -> bool:
    """Whether `password`, in lower case, is guessed among the first: known, repeated or a run."""
    if password in _WORDS or len(set(password)) <= 2:
        return True
    return any(password in run * 8 or password[::-1] in run * 8 for run in _RUNS)
