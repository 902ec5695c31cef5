"""Actions that differ from the DataStore's own."""
