"""What went wrong is read from the end of verl's log; the texts are those of real runs."""

from pathlib import Path

import pytest

from runners.verl.failures import failure, size_of

TRAINER_KILLED = """\
           ^^^^^^^^^^^^^^^^^^^^^
ray.exceptions.RayTaskError(ActorDiedError): \x1b[36mray::TaskRunnerV1.run()\x1b[39m (pid=18391)
ray.exceptions.ActorDiedError: The actor died unexpectedly before finishing this task.
\tclass_name: create_colocated_worker_cls.<locals>.WorkerDict
\tactor_id: 5d3989d194a19a66a163c9a501000000
\tpid: 19047
The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR Worker exit \
detail: Worker unexpectedly exits with a connection error code 2. End of file. Some common causes \
include: (1) the process was killed by the OOM killer due to high memory usage, (2) ray stop --force
"""
ROLLOUT_KILLED = """\
\x1b[36m(AgentLoopWorkerTQ pid=24637)\x1b[0m ray.exceptions.ActorDiedError: The actor died \
unexpectedly before finishing this task.
\x1b[36m(AgentLoopWorkerTQ pid=24637)\x1b[0m \tclass_name: TransformersServer
ray.exceptions.ActorDiedError: The actor died unexpectedly before finishing this task.
\tclass_name: TaskRunnerV1
"""
STORAGE_KILLED = """\
\x1b[36m(TaskRunnerV1 pid=2739)\x1b[0m curricle: ActorDiedError: SimpleStorageUnit (pid 3208): The \
actor is dead because its worker process has died.; the run is ended
ray.exceptions.ActorDiedError: The actor died unexpectedly before finishing this task.
\tclass_name: TaskRunnerV1
"""
VLLM_KILLED = """\
\x1b[36m(AgentLoopWorkerTQ pid=9089)\x1b[0m ray.exceptions.RayTaskError(EngineDeadError): \
ray::CPUServer.generate() (pid=8397)
vllm.v1.engine.exceptions.EngineDeadError: EngineCore encountered an issue. See stack trace (above)
"""
GPU_FULL = """\
torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.32 GiB. GPU 0 has a total capacity \
of 79.11 GiB of which 1.20 GiB is free.
ray.exceptions.ActorDiedError: The actor died unexpectedly before finishing this task.
\tclass_name: WorkerDict
"""


@pytest.mark.parametrize(
    ("text", "says", "code"),
    [
        (TRAINER_KILLED, "a process of the run died or was killed .*, WorkerDict at first;", 1),
        (ROLLOUT_KILLED, ", TransformersServer at first;", 1),
        (STORAGE_KILLED, ", SimpleStorageUnit at first;", 1),
        (VLLM_KILLED, "vLLM died while it rolled out;", 1),
        (GPU_FULL, "lower trainer.tokens_per_gpu or trainer.gpu_memory", 2),
        ("KeyError: 'uid'", "verl ended with code 1; the same command goes on", 1),
    ],
)
def test_known_causes_are_named(tmp_path: Path, text: str, says: str, code: int) -> None:
    log = tmp_path / "verl.log"
    log.write_text(text)
    fault = failure("verl ended with code 1", log)
    assert fault.exit_code == code
    with pytest.raises(RuntimeError, match=says):
        raise fault
    assert f"{log} ends with:\n" in str(fault)
    assert str(fault).endswith(text.splitlines()[-1])


def test_what_an_earlier_attempt_said_is_not_looked_at(tmp_path: Path) -> None:
    log = tmp_path / "verl.log"
    assert size_of(log) == 0
    log.write_text(GPU_FULL)
    start = size_of(log)
    with log.open("a") as file:
        file.write("KeyError: 'uid'\n")
    assert "memory" not in str(failure("verl ended with code 1", log, start))


def test_a_large_log_is_read_from_its_end(tmp_path: Path) -> None:
    log = tmp_path / "verl.log"
    log.write_text("x" * 5_000_000 + "\n" + VLLM_KILLED)
    message = str(failure("verl ended with code 1", log))
    assert "vLLM died" in message
    assert len(message) < 2000


def test_a_run_that_wrote_no_log_failed_too(tmp_path: Path) -> None:
    assert failure("verl ended with code 1", tmp_path / "verl.log").exit_code == 1
