"""One layer of attention from queries to a memory. Axes: B batch, N queries, T tokens, D width."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from mmray.models.fusion.tokens import ModalityTokens


class CrossBlock(nn.Module):
    """Queries attend to a memory; then a feedforward layer. Pre-norm, each with a residual."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.query_norm = nn.LayerNorm(width)
        self.memory_norm = nn.LayerNorm(width)
        self.attend = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.hidden = nn.Linear(width, 2 * width)
        self.project = nn.Linear(2 * width, width)

    def forward(
        self, queries: Float[Tensor, "B N D"], memory: ModalityTokens
    ) -> Float[Tensor, "B N D"]:
        """Update the queries; each sample must have something in its memory."""
        values = self.memory_norm(memory.values)  # (B, T, D)
        attended, _ = self.attend(
            self.query_norm(queries),
            values,
            values,
            key_padding_mask=~memory.mask,
            need_weights=False,
        )
        queries = queries + attended
        return queries + self.project(F.gelu(self.hidden(self.norm(queries))))
