"""A checkpoint is there whole or not at all, and the last whole one is never lost."""

from pathlib import Path

from runners.verl.checkpoints import finish, fresh, last_step


def write(checkpoints: Path, step: int) -> None:
    actor = fresh(checkpoints) / f"global_step_{step}" / "actor"
    actor.mkdir(parents=True)
    (actor / "model.pt").write_text(str(step))


def standing(checkpoints: Path) -> list[str]:
    return sorted(path.name for path in checkpoints.iterdir() if path.is_dir())


def test_the_newest_finished_one_replaces_those_before(tmp_path: Path) -> None:
    assert last_step(tmp_path) == 0
    for step in (2, 4, 10):
        write(tmp_path, step)
        finish(tmp_path, step)
        assert last_step(tmp_path) == step
        assert standing(tmp_path) == [f"global_step_{step}"]
    assert (tmp_path / "global_step_10" / "actor" / "model.pt").read_text() == "10"


def test_more_are_kept_when_asked_for(tmp_path: Path) -> None:
    for step in (2, 4, 6, 10):
        write(tmp_path, step)
        finish(tmp_path, step, keep=2)
    assert standing(tmp_path) == ["global_step_10", "global_step_6"]
    write(tmp_path, 12)
    finish(tmp_path, 12, keep=None)
    assert len(standing(tmp_path)) == 3


def test_a_kill_while_writing_leaves_the_one_before(tmp_path: Path) -> None:
    write(tmp_path, 2)
    finish(tmp_path, 2)
    write(tmp_path, 4)  # and no more of it
    assert last_step(tmp_path) == 2
    assert (tmp_path / "global_step_2" / "actor" / "model.pt").exists()


def test_a_kill_between_renaming_and_naming_is_done_again(tmp_path: Path) -> None:
    write(tmp_path, 2)
    finish(tmp_path, 2)
    write(tmp_path, 4)
    (tmp_path / "unfinished" / "global_step_4").replace(tmp_path / "global_step_4")
    assert last_step(tmp_path) == 2
    write(tmp_path, 4)
    (tmp_path / "unfinished" / "global_step_4" / "actor" / "model.pt").write_text("again")
    finish(tmp_path, 4)
    assert standing(tmp_path) == ["global_step_4"]
    assert (tmp_path / "global_step_4" / "actor" / "model.pt").read_text() == "again"
