"""Rules beside the model: few, plain, in force from the first night on, without training."""
