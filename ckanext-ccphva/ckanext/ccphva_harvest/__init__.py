"""CKAN's face of the harvesters: register, Celery tasks, catalogue writer, run table."""
