"""A figure of the page as a picture, made by the browser."""
