"""Every workflow that is audited: what it is when all is well, and what is planted in it.

`whole` has each node that ran or was left out, by what follows the workflow's name in its own, and what is
told of it: of an output by its name, of the step by none. Nodes that have no pod are in no table.
"""

from dataclasses import dataclass

from harness.waiting import wait_for

from . import gaps, shapes
from .gaps import STEP, Gap
from .world import ATTESTED

BY_RIGHT = "absent-by-right"
OTHER_SECRET = "audited-other-key"
OTHER_BUILDER = "https://ci.example.com/another"
# Main sees our process where the pod shares its process namespace. Argo's own wrapper must live.
KILL = "for p in /proc/[0-9]*; do case $(tr '\\0' ' ' < $p/cmdline 2>/dev/null) in " \
    "'/argo-attest sidecar'*) kill -9 ${p#/proc/};; esac; done"


@dataclass
class Shape:
    name: str
    spec: object
    whole: dict
    gaps: tuple = ()
    # Whether it is among the dozen that every run of the suite has.
    quick: bool = False
    inject: tuple = ()
    ends: str = "Succeeded"
    after: str = None
    during: object = None

    def told(self):
        """What the audit of the workflow has to say, each line."""
        lines = dict(self.whole)
        links = []
        for gap in self.gaps:
            lines[(gap.node, STEP if gap.kind.of_step else gap.output)] = gap.kind.told
            links += [(taker, f"< {gap.node} {gap.output}", "chain") for taker in gap.breaks]
        return sorted([(node, what, reason) for (node, what), reason in lines.items()] + links)


def made(*nodes, output="app", word=ATTESTED):
    return {(node, output): word for node in nodes}


def by_right(*nodes):
    return made(*nodes, output=STEP, word=BY_RIGHT)


def resume(_world, running):
    running.kube.patch_workflow(running.name, {"spec": {"suspend": None}})


def lose_the_pod(world, running):
    """Argo makes the pod of a step anew that vanishes, under the same name and for the same node."""
    from scenarios.endings import runs_for_long

    patience, pod = world.settings.patience, running.pod()
    wait_for("the pod to have begun", 120 * patience, lambda: runs_for_long(pod), 1)
    running.kube.delete_pod(pod.name, 0)
    wait_for("another pod", 120 * patience, lambda: any(other.uid != pod.uid for other in running.pods()), 1)


def wait_for_the_rest(world, running):
    """Until it waits for somebody to resume it."""
    def waits():
        return any(node.get("type") == "Suspend" and node.get("phase") == "Running" for node in running.nodes())

    wait_for(f"{running.name} to wait", 120 * world.settings.patience, waits, 0.5)


def fan_out(width, *planted):
    nodes = [f"[0].map({n}:{n})" for n in range(width)]
    found = tuple(Gap(kind, nodes[n]) for n, kind in planted)
    return {"spec": lambda author: shapes.fan_out(author, width), "whole": made(*nodes), "gaps": found}


WIDE = fan_out(
    50, (0, gaps.TRUNCATED), (1, gaps.OBJECT_DELETED), (7, gaps.COMMIT_CHANGED), (19, gaps.SPLICED), (23, gaps.BY_HAND),
    (31, gaps.MOVED_HERE), (49, gaps.OUTCOME_DELETED))
NARROW = fan_out(4, (0, gaps.OBJECT_DELETED), (1, gaps.COMMIT_CHANGED), (3, gaps.SPLICED))


def both():
    return {**made("[0].build"), **made("[1].use", output="used")}


def table(everything):
    """The workflows: a dozen, or all."""
    return [shape for shape in _all(everything) if everything or shape.quick]


def _all(everything):
    library = {**made("[0].build"), **made("[1].use", output="used")}
    folders = ("[0].lacking", "[0].grown", "[0].whole", "[0].unlisted")
    return [
        Shape("one", shapes.one, made(""), quick=True),
        Shape("script", shapes.script, {**made("", output="plain"), **made("", output="base"), **made("", output="packed")}, (
            Gap(gaps.OBJECT_DELETED, "", "plain"), Gap(gaps.OTHER_KEY, "", "base"), Gap(gaps.SWAPPED, "", "packed"))),
        Shape("steps", shapes.steps, both(), (Gap(gaps.ATTESTATION_DELETED, "[0].build", breaks=("[1].use",)),), quick=True),
        Shape("dag", shapes.dag, {**made(".build"), **made(".test", output="report")}, quick=True),
        Shape("diamond", shapes.diamond, made(".top", ".left", ".right", ".bottom"), (
            Gap(gaps.SWAPPED, ".left"), Gap(gaps.OUTCOME_DELETED, ".right"), Gap(gaps.OTHER_KEY, ".bottom")), quick=True),
        Shape("fan-out", **(WIDE if everything else NARROW), quick=True),
        Shape("items", shapes.with_items, made("[0].each(0:red)", "[0].each(1:green)", "[0].each(2:blue)"), (
            Gap(gaps.OUTCOME_BY_OTHER_KEY, "[0].each(0:red)"), Gap(gaps.OUTCOME_OF_ANOTHER, "[0].each(1:green)"))),
        Shape("param", shapes.with_param, made("[0].list", "[1].each(0:x)", "[1].each(1:y)"), (
            Gap(gaps.OUTCOME_CHANGED, "[1].each(1:y)"),), quick=True),
        Shape("retried", shapes.retried, {**by_right("[0].flaky(0)"), **made("[0].flaky(1)")}, quick=True),
        Shape("retried-left", shapes.retried_with_an_object, made("[0].flaky(0)", "[0].flaky(1)"), (
            Gap(gaps.FAILED_LEFT, "[0].flaky(0)"),)),
        # The first pod's record that it started is not all there is of that node.
        Shape("retried-lost", shapes.retried_after_a_loss, made("[0].lost(0)"), during=lose_the_pod),
        Shape("exit", lambda a: shapes.exit_handler(a, opted_in=False), made("[0].build", ".onExit"), (
            Gap(gaps.UNWATCHED, ".onExit"), Gap(gaps.NEVER_WATCHED, ".onExit")), quick=True),
        Shape("exit-watched", shapes.exit_handler, made("[0].build", ".onExit")),
        Shape("failing", shapes.failing, {**by_right(".build", ".use"), **made(".onExit")}, ends="Failed"),
        Shape("hooked", shapes.hooked, made("[0].build", "[0].build.onExit"), (Gap(gaps.OUTCOME_DELETED, "[0].build.onExit"),)),
        Shape("memo-first", shapes.memoised, made("[0].build"), quick=True),
        Shape("memo-again", shapes.memoised, made("[0].build", word="memoised"), after="memo-first", quick=True),
        Shape("lost-first", shapes.memoised_and_lost, made("[0].build"), (Gap(gaps.OBJECT_DELETED, "[0].build"),)),
        Shape("lost-again", shapes.memoised_and_lost, made("[0].build", word="memoised"), (
            Gap(gaps.GONE_WITH_THE_FIRST, "[0].build"),), after="lost-first"),
        Shape("suspended", shapes.suspended, {**made("[0].build"), **made("[2].use", output="used")}, (
            Gap(gaps.PUT_BACK, "[2].use", "used"),), during=resume, quick=True),
        Shape("never-resumed", shapes.never_resumed, made("[0].build"), (
            Gap(gaps.STILL_RUNS, ""),), during=wait_for_the_rest, ends="Running"),
        Shape("template-ref", shapes.template_ref, library, (Gap(gaps.SWAPPED, "[1].use", "used"),), quick=True),
        Shape("workflow-ref", shapes.workflow_template_ref, library),
        Shape("daemon", shapes.daemon, made("[1].client"), (Gap(gaps.NEVER_WATCHED, "[0].server"),), quick=True),
        Shape("set", shapes.container_set, made(""), (Gap(gaps.OTHER_KEY, ""),), quick=True),
        Shape("nested", shapes.nested, made("[0].outer.within[0].make", "[0].outer.within[0].more"), (
            Gap(gaps.OUTCOME_DELETED, "[0].outer.within[0].make"),)),
        Shape("conditional", shapes.conditional, {**made(".build"), **by_right(".never", ".mourn")}, (
            Gap(gaps.ATTESTATION_DELETED, ".build"),)),
        Shape("nothing", shapes.nothing_made, {
            **made("[0].maybe"), **made("[0].maybe", output="maybe", word=BY_RIGHT),
            **by_right("[0].none"), **made("[0].none", output="main-logs", word="not-ours")}, (
            Gap(gaps.OBJECT_DELETED, "[0].maybe"), Gap(gaps.PLACELESS, "[0].placeless"))),
        Shape("folders", shapes.folders, made(*folders), (
            Gap(gaps.FILE_REMOVED, "[0].lacking"), Gap(gaps.FILE_ADDED, "[0].grown"), Gap(gaps.MANIFEST_DELETED, "[0].unlisted"))),
        Shape("leading-out", shapes.leading_out, made(""), (Gap(gaps.REFUSED, ""),)),
        Shape("resource", shapes.resource, {**by_right("[0].make"), **made("[1].build")}, (Gap(gaps.COMMIT_CHANGED, "[1].build"),)),
        Shape("logged", shapes.logged, {**made(""), **made("", output="main-logs", word="not-ours")}),
        Shape("overwriting", shapes.overwriting, made("[0].first", "[1].second"), (Gap(gaps.OVERWRITTEN, "[0].first"),)),
        Shape("shared-first", shapes.shared, made(""), (Gap(gaps.OTHERS_NOW, ""),)),
        Shape("shared-then", shapes.shared, made(""), after="shared-first"),
        Shape("unwatched", shapes.unwatched, both(), (
            Gap(gaps.UNWATCHED, "[0].build"), Gap(gaps.NEVER_WATCHED, "[0].build"))),
        Shape("apart", shapes.apart, made(""), (Gap(gaps.ATTESTATION_DELETED, ""),)),
        Shape("map-reduce", shapes.map_reduce, {
            **made("[0].map(0:a)", "[0].map(1:b)", output="part"), **made("[1].reduce", output="sum")}, (
            Gap(gaps.SWAPPED, "[0].map(0:a)", "part"),)),
        Shape("sidecar-killed", lambda a: shapes.killed_sidecar(a, KILL), made(""), (
            Gap(gaps.SIDECAR_LOST, ""), Gap(gaps.LEFT_BY_A_LOST_SIDECAR, "")), inject=("--mode", "sidecar")),
        Shape("other-key", shapes.one, made(""), (
            Gap(gaps.KEY_NOBODY_TRUSTS, ""), Gap(gaps.OUTCOME_NOBODY_TRUSTS, "")), inject=("--key-secret", OTHER_SECRET)),
        Shape("other-builder", shapes.one, made(""), (
            Gap(gaps.OTHER_BUILDER, ""), Gap(gaps.OUTCOME_OF_OTHER_BUILDER, "")), inject=("--builder-id", OTHER_BUILDER)),
    ]
