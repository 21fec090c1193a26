"""What every domain of the simulator uses: numbers, days, the book of people, frames and files."""
