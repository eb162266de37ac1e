"""Steps of set-up, for `app/bootstrap.py`: standard library only, for nothing is installed yet."""
