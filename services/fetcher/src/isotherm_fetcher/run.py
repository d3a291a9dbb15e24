"""One run: what is planned, asked for part by part, stored part by part, and recorded.

A part that is stored stays stored, whatever happens to the parts after it. A run that dies leaves its row as it was
before its last request, with that request already paid for.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog
from structlog.contextvars import bound_contextvars

from isotherm_common.retry import ShutdownDuringRetry, retry
from isotherm_common.tracing import OFF, of_run
from isotherm_fetcher import planner, retention, runs, store
from isotherm_fetcher.errors import (
    MinuteLimit,
    UpstreamError,
    UpstreamRefused,
    UpstreamTransient,
    WindowLimit,
)
from isotherm_fetcher.progress import Progress
from isotherm_fetcher.quota import WindowName, window_end
from isotherm_fetcher.task import Result, Task, Upstream
from isotherm_fetcher.times import to_datetime

if TYPE_CHECKING:
    from collections.abc import Callable

    from pymysql.cursors import Cursor

    from isotherm_common.shutdown import Shutdown
    from isotherm_common.tracing import Tracing
    from isotherm_fetcher.mysql import Database
    from isotherm_fetcher.open_meteo import Answer
    from isotherm_fetcher.planner import Plan
    from isotherm_fetcher.progress import Outcome
    from isotherm_fetcher.quota import Ledger
    from isotherm_fetcher.rows import Location

ATTEMPTS_PER_PART = 4
FAILED_PARTS_UNTIL_STOP = 2
"""So many parts in a row fail before the run takes the upstream for down: retries must not burn the day's quota."""

log = structlog.get_logger()


class _OutOfQuota(Exception):  # noqa: N818 - it names the state, not a fault
    """Nothing more fits into this run."""

    def __init__(self, window: WindowName | None, until: float) -> None:
        super().__init__(window)
        self.window = window
        self.until = until


def run_once(
    task: Task,
    database: Database,
    upstream: Upstream,
    shutdown: Shutdown,
    clock: Callable[[], float] = time.time,
    tracing: Tracing = OFF,
) -> Result:
    """Do one run, under the lock of the one runner.

    Raises:
        AnotherRunner: another process is at it, and was not done in time.
        UpstreamRefused: the request is wrong; the run is recorded as failed.
        DatabaseUnavailable: MySQL was lost; the next run finds this one dead.
    """
    with database.runner_lock(task.runner_wait_seconds):
        run_id = runs.start(database, clock())
        known_as = of_run(database.name, run_id)
        span = tracing.span("fetch_run", known_as=known_as, run_id=run_id)
        with bound_contextvars(run_id=run_id), span as told:
            result = _Run(task, database, upstream, shutdown, clock, run_id, tracing).whole()
            told.set(outcome=result.outcome, asked=result.asked, stored=result.stored, failed=result.failed)
            return result


@dataclass
class _Run:
    task: Task
    database: Database
    upstream: Upstream
    shutdown: Shutdown
    clock: Callable[[], float]
    run_id: int
    tracing: Tracing = OFF
    progress: Progress = field(default_factory=Progress)
    pending: list[Location] = field(default_factory=list)
    asked_now: list[Location] = field(default_factory=list)
    not_before: float = 0.0
    out_of_quota: bool = False
    attempts: int = 0

    def __post_init__(self) -> None:
        self.deadline = self.task.policy.deadline(self.clock())

    def whole(self) -> Result:
        """Do all of it and record how it ended, however it ends."""
        try:
            self._synchronise()
            self._fetch(self._plan())
            self._clean_up()
        except UpstreamRefused as error:
            self.progress.because(str(error))
            self._finish("failed")
            raise
        except Exception as error:
            if not isinstance(error, ShutdownDuringRetry):
                self.progress.because(f"{type(error).__name__}: {error}")
                self._record_crash()
                raise
            self.progress.because("stopped by a signal")
        return self._finish(self._outcome())

    def _synchronise(self) -> None:
        changes = store.synchronise(self.database, self.task.region)
        if changes:
            log.info(
                "locations_synchronised",
                inserted=len(changes.insert),
                activated=len(changes.activate),
                deactivated=len(changes.deactivate),
                renamed=len(changes.rename),
            )

    def _plan(self) -> Plan | None:
        now, task = self.clock(), self.task
        limited = bool(task.policy.limits.limited)
        if limited and (until := runs.blocked_until(self.database, now)) is not None:
            self._stop_for_quota(f"Open-Meteo refuses to answer until {_clock_time(until)}")
            return None
        locations = store.active_locations(self.database, simulated=task.simulated)
        remembered = task.policy.remembered_seconds(len(locations))
        self.ledger: Ledger = runs.spent(self.database, now, simulated=task.simulated, remembered_seconds=remembered)
        plan = planner.plan(now, locations, self.ledger, task.policy)
        log.info(
            "run_planned",
            mode=plan.mode,
            locations=len(locations),
            points=len(plan.locations),
            parts=len(plan.parts),
            weight=plan.weight,
            left_out=plan.left_out,
            quota_left={
                window: self.ledger.left(now, window, task.policy.limits) for window in task.policy.limits.limited
            },
        )
        if plan.stopped_by is not None:
            self._stop_for_quota(f"nothing is left of the {plan.stopped_by}")
        return plan

    def _fetch(self, plan: Plan | None) -> None:
        """Ask for the plan's locations until they are all over or the run has to end."""
        self.pending = [] if plan is None else list(plan.locations)
        failed_in_a_row = 0
        while self.pending and failed_in_a_row < FAILED_PARTS_UNTIL_STOP:
            if self.shutdown.requested:
                raise ShutdownDuringRetry
            try:
                answer = self._ask()
            except _OutOfQuota as stop:
                if stop.window is None:
                    self.progress.because("the run's time is over")
                else:
                    self._stop_for_quota(f"nothing is left of the {stop.window} until {_clock_time(stop.until)}")
                return
            except WindowLimit as error:
                self.progress.blocked_until = window_end(self.clock(), error.window)
                self._stop_for_quota(str(error).rstrip("."))
                return
            except UpstreamError as error:
                failed_in_a_row += 1
                self._part_failed(error)
            else:
                failed_in_a_row = 0
                self._store(answer)
        if self.pending:
            self.progress.because("the rest was not asked for, because Open-Meteo does not answer")

    def _ask(self) -> Answer:
        """Ask for the next part, again after a failure that may pass."""
        self.attempts = 0

        def transient(error: BaseException) -> bool:
            return isinstance(error, MinuteLimit | UpstreamTransient) and self.attempts < ATTEMPTS_PER_PART

        return retry(
            self._attempt,
            transient=transient,
            shutdown=self.shutdown,
            doing="asking Open-Meteo",
            policy=self.task.retries,
        )

    def _attempt(self) -> Answer:
        self.asked_now = self.pending[: self._wait_until_some_fit()]
        weight = len(self.asked_now) * self.task.policy.weight_of_point
        self.attempts += 1
        sent_at = self.clock()
        self._charge(sent_at, weight)
        self._save()
        began = time.monotonic()
        status = "200"
        try:
            with self.tracing.span("ask_open_meteo", points=len(self.asked_now)):
                return self.upstream.fetch(self.asked_now)
        except UpstreamError as error:
            status = error.status
            if error.cost is not None:
                self._charge(sent_at, error.cost - weight)
            if isinstance(error, MinuteLimit):
                self.not_before = window_end(self.clock(), "minute") + planner.MARGIN_AFTER_BOUNDARY_SECONDS
            raise
        except UpstreamRefused as error:
            status = error.status
            self._charge(sent_at, 1 - weight)
            raise
        finally:
            self.progress.request_took(status, time.monotonic() - began)

    def _wait_until_some_fit(self) -> int:
        """Wait for a minute in which points may be asked for; return how many."""
        while True:
            now = self.clock()
            if now < self.not_before:
                step: planner.Step = planner.Wait(self.not_before)
                if self.not_before > self.deadline:
                    step = planner.Stop(None, self.not_before)
            else:
                step = planner.next_step(now, len(self.pending), self.ledger, self.task.policy, self.deadline)
            if isinstance(step, planner.Send):
                return step.points
            if isinstance(step, planner.Stop):
                raise _OutOfQuota(step.window, step.until)
            log.info("waiting_for_next_minute", seconds=round(step.until - now, 1), points_left=len(self.pending))
            if self.shutdown.wait(max(0.0, step.until - now)):
                raise ShutdownDuringRetry

    def _charge(self, at: float, weight: float) -> None:
        self.ledger.charge(at, weight)
        self.progress.weight_by_minute.charge(at, weight)

    def _store(self, answer: Answer) -> None:
        """Store a part: its rows and the run's row in one transaction."""
        parsed, progress = answer.parsed, self.progress
        progress.asked += len(self.asked_now)
        progress.stored += len(parsed.weather)
        progress.failed += len(parsed.failures)
        progress.rejected += len(parsed.rejected)
        progress.source = answer.source
        for failure in parsed.failures:
            log.warning("location_failed", location_id=failure.location_id, reason=failure.reason)
            progress.because(f"location {failure.location_id}: {failure.reason}")
        if parsed.rejected:
            log.warning("values_rejected", count=len(parsed.rejected), first=parsed.rejected[:5])
            progress.because(f"rejected: {parsed.rejected[0]}")
        with self.tracing.span("store_part", points=len(parsed.weather)):
            self.database.transaction(lambda cursor: self._write(cursor, answer))
        self.pending = self.pending[len(self.asked_now) :]
        log.info("part_stored", points=len(parsed.weather), failed=len(parsed.failures), points_left=len(self.pending))

    def _write(self, cursor: Cursor, answer: Answer) -> None:
        store.write_weather(cursor, answer.parsed.weather, answer.source, answer.fetched_at, self.run_id)
        runs.save(cursor, self.run_id, self.progress)

    def _part_failed(self, error: UpstreamError) -> None:
        log.warning("part_failed", points=len(self.asked_now), error=str(error), attempts=self.attempts)
        self.progress.asked += len(self.asked_now)
        self.progress.failed += len(self.asked_now)
        self.progress.because(str(error).rstrip("."))
        self.pending = self.pending[len(self.asked_now) :]
        self._save()

    def _stop_for_quota(self, reason: str) -> None:
        self.out_of_quota = True
        self.progress.because(reason)

    def _clean_up(self) -> None:
        now = self.clock()
        removed = {
            "inactive": retention.remove_inactive(self.database, self.shutdown),
            "history": retention.remove_old_history(self.database, now - self.task.history_seconds, self.shutdown),
            "runs": retention.remove_old_runs(self.database, now - self.task.runs_seconds, self.shutdown),
        }
        if any(removed.values()):
            log.info("old_rows_removed", **removed)

    def _outcome(self) -> Outcome:
        progress = self.progress
        if self.out_of_quota:
            return "quota"
        if progress.stored == 0 and progress.failed > 0:
            return "failed"
        return "partial" if progress.failed or progress.rejected or self.pending else "done"

    def _save(self) -> None:
        self.database.transaction(lambda cursor: runs.save(cursor, self.run_id, self.progress))

    def _finish(self, outcome: Outcome) -> Result:
        now, progress = self.clock(), self.progress
        self.database.transaction(lambda cursor: runs.save(cursor, self.run_id, progress, outcome, now))
        result = Result(outcome, progress.asked, progress.stored, progress.failed, progress.error)
        log.info(
            "run_finished",
            outcome=outcome,
            asked=result.asked,
            stored=result.stored,
            failed=result.failed,
            rejected=progress.rejected,
            error=result.error,
        )
        return result

    def _record_crash(self) -> None:
        """Record a run that an unexpected error ends, if the database can still be reached."""
        try:
            self._finish("failed")
        except Exception as error:  # noqa: BLE001 - the first error is the one to be raised
            log.warning("run_not_recorded", error=str(error))


def _clock_time(seconds: float) -> str:
    return f"{to_datetime(seconds):%H:%M} UTC"
