"""The one intermediate representation that both front ends lower to and every engine reads."""
