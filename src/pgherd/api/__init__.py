"""The public API as models: what people write, checked strictly, with all faults at once.

====================  ==============================================================================
``postgresql``        the ``postgresql`` resource: ``parse_postgresql``
``reading``           the ``OperatorConfiguration`` resource: ``parse_operator_configuration``
``configmap``         the same settings as a ConfigMap: ``parse_configmap``
``compat``            conversion between the two forms, options without effect
``postgres_team``     the ``PostgresTeam`` resource
``checks``            what no schema can check
``conditions``        the one list of condition types and reasons
``crd``               the CustomResourceDefinitions, made from the models
``explain``, ``docs`` reference texts, made from the models
====================  ==============================================================================
"""
