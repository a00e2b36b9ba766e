"""What was promised to the people in the data: purposes, periods, their rights, a record of all.

Nothing here knows what is suspicious, or what time it is: instants are passed in.
"""
