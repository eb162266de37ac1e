"""Cases: lifecycle, services, photos."""
