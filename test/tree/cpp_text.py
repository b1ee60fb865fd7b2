# SPDX-License-Identifier: BSL-1.0
"""A minimal reader of C++ for the rules. It finds text without comments and literals, the includes
of a file, lambdas in the full expression of a co_await, and conditions with a co_await."""

import re

TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<raw>[^()\s]{0,16})\(.*?\)(?P=raw)"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-zA-Z_])'(?:\\.|[^'\\\n])+'", re.DOTALL)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
CONDITION = re.compile(r"\b(if|while|for|switch)\s*(?:constexpr\s*)?(?=\()")
# Matches a condition that consists of one co_await, or of a variable initialized with one.
WHOLE_CO_AWAIT = re.compile(r"\s*(?:[\w:&* ]+=\s*)?co_await\b(?!.*(?:&&|\|\||\?))", re.DOTALL)
CLOSING = {"(": ")", "[": "]", "{": "}"}
# The text before and after a lambda's captures. A subscript has an operand before it, a structured
# binding an equals sign after it.
BEFORE_LAMBDA = re.compile(r"(?:^|[(,={};?:&|!<>]|\b(?:co_)?return|\bco_await|\bco_yield)\s*$")
AFTER_CAPTURES = re.compile(r"\s*(?:[({<]|->|mutable\b|noexcept\b)")


def without_comments_and_literals(text):
    """Returns the text with all comments and literals blanked; lines and columns do not change."""
    def blank(match):
        word = match.group(0)
        kept = word if word.startswith(("//", "/*")) else word[0] + word[1:-1] + word[-1]
        spaces = re.sub(r"[^\n]", " ", kept)
        return spaces if word.startswith("/") else '"' + spaces[1:-1] + '"'
    return TOKEN.sub(blank, text)


def includes(text):
    """Yields (line, opening quote, path) of every include that is not in a comment."""
    plain = without_comments_and_literals(text)
    for match in INCLUDE.finditer(text):
        if plain[match.start():match.end()].lstrip().startswith("#"):
            yield text.count("\n", 0, match.start()) + 1, match.group(1), match.group(2)


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def matching(text, at):
    """Returns the place of the bracket that closes the one at `at`; the end if there is none."""
    opening, closing, depth = text[at], CLOSING[text[at]], 0
    for place in range(at, len(text)):
        depth += (text[place] == opening) - (text[place] == closing)
        if depth == 0:
            return place
    return len(text) - 1


def lambda_body(text, bracket):
    """Returns, for the `[` of a lambda, the place of its body's `{`; None if it is not a lambda."""
    end = matching(text, bracket)
    before = text[max(0, bracket - 40):bracket]
    if not BEFORE_LAMBDA.search(before) or not AFTER_CAPTURES.match(text, end + 1):
        return None
    place = end + 1
    while place < len(text) and text[place] not in ";,)]}":
        if text[place] == "{":
            return place
        place = matching(text, place) + 1 if text[place] == "(" else place + 1
    return None


def owns_a_capture(captures):
    """Returns true if a capture list may own something: anything except references, `this` and
    nothing."""
    depth, parts = 0, [""]
    for character in captures:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return any(part.strip() and not re.match(r"\s*(&|this\s*$)", part) for part in parts)


class FullExpression:
    """The state of the full expression that is being read."""

    def __init__(self):
        self.has_co_await = False
        self.owning_lambdas = []

    def finish(self):
        found = self.owning_lambdas if self.has_co_await else []
        self.__init__()
        return found


def owning_lambdas_in_co_await(text):
    """Yields the lines of lambdas that own captures and are in one full expression with a co_await.
    The body of a lambda is not part of the expression around it."""
    text = without_comments_and_literals(text)
    bodies, found = set(), []
    expressions, braces = [FullExpression()], []
    for token in re.finditer(r"\bco_await\b|[\[{};]", text):
        word, place = token.group(0), token.start()
        if word == "co_await":
            expressions[-1].has_co_await = True
        elif word == "[" and (body := lambda_body(text, place)) is not None:
            bodies.add(body)
            if owns_a_capture(text[place + 1:matching(text, place)]):
                expressions[-1].owning_lambdas.append(line_of(text, place))
        elif word == "{":
            is_body, is_block = place in bodies, text[:place].rstrip().endswith(")")
            braces.append((is_body, is_block))
            if is_body:
                expressions.append(FullExpression())
            elif is_block:
                found += expressions[-1].finish()
        elif word == "}" and braces:
            is_body, is_block = braces.pop()
            if is_body or is_block:
                found += expressions[-1].finish()
            if is_body:
                expressions.pop()
        elif word == ";":
            found += expressions[-1].finish()
    return sorted(set(found))


def without_lambda_bodies(text):
    """Returns the text with the bodies of its lambdas blanked, as they are functions of their
    own."""
    for bracket in [match.start() for match in re.finditer(r"\[", text)]:
        if (body := lambda_body(text, bracket)) is not None:
            end = matching(text, body)
            text = text[:body] + re.sub(r"[^\n]", " ", text[body:end + 1]) + text[end + 1:]
    return text


def co_awaits_in_conditions(text):
    """Yields the lines of conditions with a co_await, except those of loops whose whole condition
    is one, and whose body has a local variable."""
    text = without_comments_and_literals(text)
    for match in CONDITION.finditer(text):
        end = matching(text, match.end())
        condition = without_lambda_bodies(text[match.end() + 1:end])
        if not re.search(r"\bco_await\b", condition):
            continue
        brace = text.find("{", end)
        body = text[brace:matching(text, brace)] if brace >= 0 else ""
        is_loop = match.group(1) == "while" and WHOLE_CO_AWAIT.match(condition)
        if not is_loop or not (re.search(r"\bauto\b", body) or "=" in condition):
            yield line_of(text, match.start())
