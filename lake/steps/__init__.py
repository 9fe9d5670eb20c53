"""One module for each task of the DAG `shop_lake`, in the order of a run.

    start -> extract -> register -> clean -> curate -> marts, audit -> publish

A step takes the run. What it needs of an earlier step it reads from the manifests (`lake.extract.manifest`) and from
the run's journal (`lake.ledger.journal`), so it can be tried again by itself. `scope` says what a run reads, `cleaning`
what the tasks found that clean. `parity` and `lineage` have the tasks of the DAGs of their names.
"""
