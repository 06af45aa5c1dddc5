"""Experiments: a dataset × models × a protocol → one table, data first.

Every experiment is a function that gives an `Outcome` (`table`). What takes long is a *cell* (a model, a
seed, a level of noise), written durably below a run's folder (`run`) and never computed again; judging is
cheap and always done anew, so that a person's verdicts (`verdicts`) count at once.

    run         the folder of an experiment's cells, features and unfinished learning
    table       Outcome, Table: rows for programs, printed by the command line
    gallery     a split's photos with their frozen features
    photo_side  ψ learnt by regression (Eq. 2) of a text model's φ, both in the matching space
    judging     which photos are relevant to a query, by all their captions
    controls    chance, ceilings, and photos exchanged among the captions
    bootstrap   intervals over queries, paired where models are compared
    grid        the loop over models and seeds, the control with them

    collection, themes    two datasets, or one in two halves by theme, for `transfer`
    annotated, concepts   photos with tags and labels, MIRFlickr's or told from captions, for `mirflickr`
    city_sets, towns      photos of cities, real ones or given to ten towns by a rule, for `cities`
"""
