"""How cases come from other systems, the public number, and alarms of the desk."""
