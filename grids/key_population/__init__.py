"""Key population (特殊人群) as counts per area, kind and month; no person anywhere."""
