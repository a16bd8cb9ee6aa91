import random


def loss(lr, width):
    draw = random.Random(width)
    return sum(draw.random() * lr for _ in range(100))
