"""What runs inside a database pod."""
