"""Argo's own examples, once as they are and once attested: what differs?

The promise is that attesting changes nothing for a workflow. Each example is
made fit for a cluster without a way out (`examples`), run in a namespace that
knows nothing of us and in one where every step is attested (`ways`), and all
that its user could see is compared (`seen`).
"""
