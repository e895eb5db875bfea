"""From a checker's opinion to the final verdict: adds `truncated` and `verifier_error`."""

from domains.problem import Problem, Verdict


def judge(problem: Problem, completion: str, finish_reason: str = "stop") -> Verdict:
    """The verdict on one completion; never raises.

    A completion that was cut off at the token limit (`finish_reason == "length"`) keeps a correct
    verdict, for it had already said the answer; anything else about it is `truncated`, since what
    stands last in an unfinished text is not its answer. A checker that fails is `verifier_error`.
    """
    try:
        verdict = problem.checker.check(problem, completion)
    except Exception as error:  # noqa: BLE001  hostile text may break any parser; it is data here
        return Verdict("verifier_error", 0.0, "", f"{type(error).__name__}: {error}")
    if finish_reason == "length" and verdict.status != "correct":
        return Verdict("truncated", 0.0, verdict.answer, f"cut off ({verdict.status})")
    return verdict
