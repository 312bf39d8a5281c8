"""Stand-ins for the official base images, built from packages where no image registry answers.

Standard library only: it runs before any Python environment exists.
"""
